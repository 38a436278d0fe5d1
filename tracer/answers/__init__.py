"""What is read of an HTTP answer, whoever answers: so many bytes and no more, and not for ever."""
