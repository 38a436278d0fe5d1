"""`tracer learn`"""

from __future__ import annotations

import click

from tracer.cli.extra import needs_demo_extra, needs_new_enough_agents

__all__ = ["command"]


@click.command("learn", short_help="Learn what happens in a call, in six short steps on real calls.")
@click.argument("step", type=int, required=False)
@click.option("--answer", metavar="ORDER", help="Your order, as 2,1,3: nothing is asked.")
def command(step: int | None, answer: str | None) -> None:
    """Learn what happens in a call, in six short steps: guess the order, see a real call, and why it is so.

    Without STEP all six are listed, and which comes next. Each call runs on a livekit-server that is started on this
    machine, as `tracer demo` does. Without a terminal nothing is asked: question and answer are shown.

    \b
    Examples:
      tracer learn
      tracer learn 1
      tracer learn 2 --answer 4,3,5,1,2
    """
    if step is None:
        from tracer.errors import ConfigurationError

        if answer is not None:
            raise ConfigurationError("--answer needs the step that it answers: tracer learn 1 --answer 2,1,3")
    needs_demo_extra("tracer learn")
    needs_new_enough_agents("tracer learn")
    if step is None:
        from tracer.learn.progress import done
        from tracer.learn.shown import ListView
        from tracer.view.write import write_view

        write_view(ListView(done()))
        return
    from tracer.learn.step import take

    take(step, answer)
