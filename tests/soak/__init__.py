"""Long runs of real calls, of which `tracer why` has to say the right thing every time: `make soak`."""
