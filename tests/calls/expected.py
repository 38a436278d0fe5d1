"""What really happened in each recorded call, and so what `tracer why` has to come to.

Each recording is one `tracer serve --record` of a real run (livekit-server 1.13.5, livekit-agents 1.8.9), in which a
situation that somebody had met was made again: what was in the caller's ears, and in the server's log, is known.
"""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["EXPECTED", "Expected"]


class Expected(NamedTuple):
    """What is right for one room."""

    cause: str | None = None
    """The cause that is named first; None where none may be named."""
    well: bool = False
    """Whether it is well, and known to be."""
    also: tuple[str, ...] = ()
    """The others that are named, in their order, each once: one more would be a wrong one."""
    says: str = ""
    """A regular expression that the summary with the first sentence matches, whatever the case of its letters."""
    never: tuple[str, ...] = ()
    """Causes that must not be named."""
    reason: str | None = None
    """The room's end reason, where it is known."""
    violated: tuple[int, ...] = ()
    """Numbers of the rules of `tracer check` that fail; of every other room none does."""


WELL = Expected(well=True)
UNKNOWN = Expected()
"""Nothing may be named, and "well" is not known either."""

EXPECTED: dict[str, list[Expected]] = {
    # The agent waits for an identity that nobody has, while a caller is there.
    "case_wrong_identity": [Expected("waited-for-another", says="user_7")],
    # An agent is dispatched, and nobody ever joins.
    "case_nobody_comes": [Expected(says="nobody|no caller")],
    # The page is reloaded: the session closed with the first leave, and did not start again.
    "case_reload": [Expected("session-closed", says="came back|joined")],
    "case_reload_plain": [UNKNOWN],
    # The caller loses the connection for longer than departure_timeout; then with a recorder in the room.
    "case_away_bare": [Expected("caller-away", says="at least", reason="departure_timeout"), WELL],
    "case_away_recorded": [Expected("caller-away", says="at least", reason="departure_timeout"), WELL],
    # Permissions.
    "case_cannot_publish": [Expected("missing-permission", says="ada.*publish")],
    "case_hidden_agent": [Expected("agent-hidden")],
    # The agent connects with SUBSCRIBE_NONE.
    "case_subscribes_to_nothing": [Expected("caller-not-heard", says="subscrib")],
    # ada, whom the session is linked to, leaves; bob stays and is heard by nobody.
    "case_first_leaves_kept": [Expected("linked-to-nobody", says="bob")],
    # The agent connects two people and deletes the room at its own end.
    "case_handed_over_and_deleted": [Expected("agent-deleted-room", says="delet", reason="deleted")],
    # The model never answers; it always fails, and the session closes for it.
    "case_llm_hangs": [Expected("model-silent", says="answer")],
    "case_llm_dead": [Expected("model-failed", says="APIConnectionError|llm_error")],
    # It never answers, and the caller waits in silence: one try, for as long as they stay.
    "made_model_silent": [Expected("model-silent", says="at least 1[01]\\.. s")],
    # The agent's own connection is lost for good.
    "case_agent_cut": [Expected("agent-lost-connection", says="connection")],
    # A shutdown callback takes too long, after the call.
    "case_shutdown_slow": [Expected("killed-in-shutdown", says="shut", never=("process-killed",))],
    # accept(identity=…) gives each agent the same identity.
    "case_one_identity": [Expected("agent-identity-reused", says="identity", never=("duplicate-identity",))],
    # A worker whose load is above the server's limit is not asked; one that takes long to start a process.
    "s20_dev_load_one": [
        Expected("load-above-limit", says="load", never=("worker-not-asked",)),
        Expected("cold-process", never=("process-killed",), violated=(6,)),
        Expected("ghost-room", violated=(6,)),
    ],
    # Two dispatches of one name on publisher jobs.
    "s02_two_publisher_jobs": [
        Expected("dispatched-twice", also=("starved-machine", "cold-process"), says="two agents")
    ],
    # One dispatch, and two workers of its name: one for rooms, one for publishers.
    "two_job_types": [Expected("two-job-types", says="two agents.*for ada")],
    # The same in the demo: the code takes 10 s before it connects.
    "earlier_room": [
        Expected("room-deleted", never=("ghost-room", "slow-code"), violated=(6,)),
        Expected("agent-of-earlier-room", also=("slow-code",), says="two agents", never=("ghost-room",), violated=(6,)),
    ],
    # DeleteRoom, then a room of the same name, which the agent of the first joins too.
    "s06_recreated": [
        Expected("room-deleted", never=("ghost-room", "slow-code"), violated=(6,)),
        # Its own agent was late too: its code took 8 s before it connected, and ada waited 3 s for the other.
        Expected("agent-of-earlier-room", also=("slow-code",), says="two agents", never=("ghost-room",), violated=(6,)),
    ],
    # The worker's connection to the server breaks before the second call.
    "s08_worker_ws_lost": [WELL, Expected("worker-disconnected", says="connection", never=("worker-not-asked",)), WELL],
    # The agent's join answer is lost, and its SDK tries again under the same identity.
    "s09_connect_retry": [Expected("agent-retried", says="again", never=("duplicate-identity",))],
    # The server is killed in the middle of a call; both sides reconnect to a new room.
    "s10_server_restart": [
        Expected("server-restarted", says="server", never=("ghost-room",)),
        Expected(never=("ghost-room",)),
    ],
    # One of two servers of a cluster is killed; the agent reconnects to the other, then ada, and a second agent comes.
    "server_lost": [Expected("server-lost", says="another took it over", never=("dispatched-twice", "lost-webhooks"))],
    # reject(terminate=False): the next worker is asked; in the third room it rejects too.
    "s11_all_reject": [WELL, WELL, Expected("rejected", says="reject")],
    # The worker is reloaded in the middle of a call, and the same job runs a second time.
    "s15_hot_reload": [Expected("deployed", also=("cold-process",), says="stopped.*ran again")],
    # The worker is frozen, and answers after 10 s.
    "s23_frozen_worker": [Expected("worker-did-not-answer", says="10.*s")],
    # UpdateParticipant takes ada's canPublish away after 5 s: nobody hears her for 14 s, and nothing shows when it was.
    "permission_taken_away": [Expected(says="ada lost the permission to publish")],
    # The same, reported by the agent and the observer; canSubscribe of ada; the agent's canPublish.
    "publish_taken_away": [Expected("permission-taken-away", says="from ada .* 12.. s agent-")],
    "subscribe_taken_away": [Expected("permission-taken-away", says="from ada .* ada did not hear")],
    "agent_publish_taken_away": [
        Expected(
            "permission-taken-away", also=("starved-machine", "cold-process"), says="from agent-.* ada did not hear"
        )
    ],
    # The agent calls set_subscribed(False), and never again True; or 13 s later.
    "agent_unsubscribed": [Expected("agent-unsubscribed", says="13.. s heard nothing")],
    # A backend calls UpdateSubscriptions, of which the agent's room reports nothing.
    "backend_unsubscribes": [Expected("agent-unsubscribed", says="13.. s heard nothing")],
    "unsubscribed_for_a_while": [Expected(says="for 1[23].. s .* was not subscribed to the microphone of ada")],
    # The agent waits for ada by name; bob is alone with it for 12 s before she comes.
    "other_caller_waited": [Expected("waited-for-another", says="bob was there for 12")],
    # A session for each caller, and a last wait that the end of the room cuts short: the entrypoint raises.
    "ended_after_room": [Expected(says="RuntimeError.*after its call")],
    # on_user_turn_completed raises: the caller asks, and hears nothing for 15 s.
    "turn_raised": [Expected("on-turn-raised", says="KeyError: 'customer'")],
    # The agent calls ctx.room.disconnect() and goes on, while ada stays for 13 s; or set_participant("nobody").
    "agent_disconnects": [Expected("agent-left-caller", says="left by its own code", never=("process-killed",))],
    # The same, and livekit-agents shuts the job down because of it ("room disconnected").
    "agent_disconnects_and_shuts_down": [Expected("agent-left-caller", says="left by its own code")],
    # The same without webhooks: the API is polled 2 s after the agent has left, and not again while ada stays for 14 s.
    "agent_leaves_between_polls": [Expected(says="ada was in the room when the agent had left, and may have stayed")],
    "linked_to_one_who_never_comes": [Expected("linked-to-another", says="nobody.*not to ada")],
    # The caller's client subscribes to nothing; a job has two sessions at once; session.input.set_audio_enabled(False).
    "voice_not_subscribed": [Expected(says="ada was subscribed to the agent's audio")],
    "two_sessions_at_once": [Expected(says="two sessions of job")],
    "audio_input_off": [Expected(says="its audio input was turned off")],
    # A function tool awaits what never comes, from the first second on; the same with livekit-agents 1.3.12.
    "tool_hangs": [Expected("own-code-hangs", also=("killed-in-shutdown",), says="look_up", never=("model-silent",))],
    "tool_hangs_1_3": [Expected("own-code-hangs", says="look_up.*17\\.. s")],
    # on_user_turn_completed does.
    "turn_hangs": [Expected("own-code-hangs", also=("killed-in-shutdown",), says="on_user_turn_completed.*16\\.. s")],
    # The LLM answers, and the TTS takes the text and never gives audio: ada hears nothing at all.
    "tts_hangs": [Expected(says="no word of the agent")],
    # sys.exit() in the entrypoint after 3 s: the agent stays in the room, deaf and silent, until ada hangs up.
    "exits_in_call": [Expected("job-ended-in-call", says="15\\.. s")],
    # The agent's stt_node raises at its first frame; so with livekit-agents 1.3.12; after the first turn; it returns.
    "stt_raises": [Expected("session-task-ended", says="ValueError.*nothing was transcribed")],
    "stt_raises_1_3": [Expected("session-task-ended", says="ValueError.*nothing was transcribed")],
    "stt_raises_later": [Expected("session-task-ended", says="KeyError: 'customer'.*nothing was transcribed")],
    "stt_returns": [Expected("session-task-ended", says="stt_node ended without an error")],
    # Each request to the STT fails with an APIConnectionError, and livekit-agents tries again, to the end.
    "stt_away": [Expected(says="nothing of it was transcribed")],
    # The same agent without a fault: ada asks three times, and is answered.
    "ok_spoken": [WELL],
    # update_agent() to an agent whose on_enter raises: the first one had spoken, the second never does.
    "greeting_after_hand_over": [Expected("on-enter-raised", says="ValueError: no prompt.*14\\.. s")],
    # The agent calls ctx.room.disconnect(), connects again with the same token for a moment, and is gone for good.
    "leaves_and_comes_back": [Expected("agent-left-caller", also=("killed-in-shutdown",), says="left by its own code")],
    # ada's client encrypts end to end, and the agent has no key.
    "encrypted_caller": [Expected("encryption-differs", says="ada was encrypted")],
    # session.input.audio = None after 3 s.
    "audio_input_none": [Expected(says="its audio input was turned off")],
    # session.room_io.unset_participant() after 3 s, and the agent goes on speaking.
    "unlinked": [Expected(says="its audio input was turned off for the last 13")],
    # The agent mutes its own track, and goes on speaking.
    "agent_mutes_itself": [Expected("agent-muted", says="muted for 13")],
    # CreateRoom with the agent and an empty_timeout of 6 s; ada comes 7 s after the room closed, into a new one.
    "room_expired": [
        Expected(says="closed by its empty_timeout .6 s.; ada joined a new room", reason="empty_timeout"),
        Expected("room-expired", also=("worker-is-named",), says="6\\.. s later"),
    ],
    # The agent greets; ada's microphone gives zeros only; a telephone of which no audio
    # comes after 4 s; a microphone that is muted from the beginning.
    "silent_microphone": [Expected(says="no word of ada was recorded: only silence came from their microphone")],
    "silent_telephone": [Expected(says="no word of ada was recorded: only silence came from their microphone")],
    "muted_throughout": [Expected(says="no word of ada was recorded: their microphone was muted")],
    # An STT that gives nothing, without a VAD; the session's audio input stops after the first turn. ada speaks.
    "stt_hangs_without_vad": [Expected(says="no word of ada was recorded: for .* as loud as a voice")],
    "input_stops": [Expected(says="in the last .* no word of ada was recorded: for .* as loud as a voice")],
    # The TTS gives zeros for every text; the output's playback never ends, and the agent "speaks" on in silence.
    "tts_gives_silence": [Expected("agent-speaks-silence", says="nothing that can be heard left its audio track")],
    "playback_never_ends": [
        Expected("agent-speaks-silence", says="and for 1?[0-9]\\.. s of it nothing that can be heard")
    ],
    # The sound of the TTS is as quiet as the noise of a room: ada hears nothing.
    "tts_too_quiet": [Expected("agent-speaks-silence", says="nothing that can be heard")],
    # The greeting is forgotten, and ada waits; it is given to asyncio.create_task(), and raises.
    "nobody_speaks": [Expected(says="no word was recorded, neither of ada nor of the agent")],
    "own_task_raised": [Expected("own-task-raised", says="KeyError: 'ada'")],
    # A realtime model's generate_reply() times out after 5 s, of which livekit-agents writes a line in its log.
    "realtime_gives_no_reply": [Expected("model-failed", says="generate_reply timed out")],
    # on_user_turn_completed raises StopResponse each time: ada asks again and again, and is not answered.
    "turns_not_answered": [Expected(says="no word of the agent was recorded")],
    # A first session closes; the second one's tools take 12 s to set up, while ada waits.
    "later_session_slow": [Expected("slow-session", says="a later session took 12")],
    # The page is reloaded, and back before the session has closed, which had linked it: webhooks and the agent only.
    "reloaded_at_once": [Expected("session-closed", says="though ada had come since.*12\\.. s")],
    # The same with livekit-agents 1.8.1 and 1.3.12, which tell when a session ended, and not why.
    "reloaded_1_8_1": [Expected("session-closed", says="14\\.. s more ada had")],
    "reloaded_1_3": [Expected("session-closed", says="ada came back 1.. s later and found a closed session")],
    # RoomOptions(participant_kinds=[SIP]), and ada comes by the browser; participant_identity of nobody, where
    # there are no
    # webhooks; the same where tracer began to listen 10 s after the room. It stopped in the middle of a healthy call.
    "another_kind_waited": [Expected("waited-for-another", says="another kind", never=("agent-has-no-voice",))],
    "by_observer_only": [Expected("waited-for-another", says="one identity")],
    "started_in_mid_call": [Expected("waited-for-another", says="one identity")],
    "stopped_in_mid_call": [Expected(says="stopped listening")],
    # The entrypoint awaits what never comes, before it connects: its process lives on when the room has closed.
    "hangs_before_connect": [Expected("never-connected", never=("process-killed",))],
    # It catches its own error, and goes on without a session.
    "own_error_swallowed": [Expected(says="without an audio track or a session")],
    # time.sleep(18) before session.start(); time.sleep(3) in on_user_turn_completed.
    "blocked_before_session": [Expected("slow-code", says="18\\.. s before session.start")],
    "blocked_at_each_turn": [Expected("event-loop-blocked", says="4 times")],
    # ada writes to a text-only agent whose llm_node hangs; an LLM that hangs, with livekit-agents 1.5.17.
    "text_model_hangs": [Expected("model-silent", says="asked 3 times")],
    "model_hangs_1_5": [Expected("model-silent", says="asked 3 times")],
    # llm_node, and tts_node, end without having given anything, each time.
    "llm_node_gives_nothing": [Expected(says="a model was asked, and in 19\\.. s no answer", never=("model-silent",))],
    "tts_node_gives_nothing": [Expected(says="a model answered, and in 19\\.. s no word of the agent")],
    # The VAD raises at the first frame, and ada says nothing.
    "vad_raises": [Expected("session-task-ended", says="ValueError: sample rate")],
    # turn_detection="manual", and nothing commits a turn; session.output.set_audio_enabled(False) before the
    # greeting; the
    # agent unpublishes its own track after 6 s.
    "turn_never_committed": [Expected(says="ada spoke for .* no turn of theirs was over")],
    "audio_output_off": [Expected(says="its audio output was turned off")],
    "voice_unpublished": [Expected(says="no agent had an audio track in the last 18")],
    # The avatar that is to speak for the agent never joins; it joins, and publishes silence.
    "avatar_never_comes": [Expected("agent-has-no-voice", says="in 21.* no agent's or avatar's audio track")],
    "avatar_gives_no_sound": [
        Expected("agent-speaks-silence", says="its avatar avatar-service gave nothing but silence")
    ],
    # update_agent() to one whose llm_node hangs; to one whose stt_node gives nothing.
    "handed_over_and_hangs": [Expected("model-silent", says="asked 3 times")],
    "handed_over_to_one_who_hears_nothing": [Expected(says="in the last 12\\.. s no word of ada was recorded")],
    # The agent dispatches one of another name, of which no worker is there, and leaves.
    "passes_on_to_nobody": [Expected("no-worker", also=("agent-left-caller", "cold-process"), says="colleague")],
    # The page is reloaded, and the agent starts a new session, whose greeting is never heard on a busy machine.
    "later_session_says_nothing": [Expected(says="a model answered, and in 28.* no word of the agent")],
    # on_enter awaits what never comes, and so the job is killed in its shutdown, long after the call.
    "on_enter_hangs": [
        Expected("killed-in-shutdown", says="in 20.* no word was recorded, neither of ada nor of the agent")
    ],
    # Four calls at once: a moderator mutes the agent, whose caller says nothing; a telephone that rings when the agent
    # greets it; a voice that is zeros after the greeting; an agent that says goodbye and ends.
    "voice_turns_to_zeros": [
        UNKNOWN,
        Expected("spoke-while-ringing", says="8.9 s before ada answered"),
        Expected("agent-speaks-silence", says="the last 3 times"),
        Expected(well=True, says="ada stayed for 3.1 s"),
    ],
    # Four more: a client that joins with the identity of one who is there; a moderator mutes the caller; a telephone;
    # a moderator mutes the agent.
    "muted_by_api": [
        Expected("duplicate-identity"),
        Expected(well=True, says="the microphone of ada was muted for the last 19"),
        Expected("spoke-while-ringing"),
        Expected("agent-muted", says="muted for 23.0 s.*spoke 4 times"),
    ],
    # AgentSession() without an LLM; AutoSubscribe.VIDEO_ONLY; a second tab of the same identity; os._exit(3).
    "no_llm": [Expected(says="the agent said nothing in 10.* no request to a model was recorded")],
    "video_only": [Expected("caller-not-heard", also=("slow-connect",), says="auto_subscribe: video_only")],
    "second_tab": [Expected("duplicate-identity", says="same identity")],
    "exits_after_greeting": [Expected("process-killed", says="exit code 3")],
    # A backend deletes the dispatch after 8 s: the job ends, and ada is alone.
    "dispatch_deleted": [Expected("dispatch-deleted", says="ended from outside", never=("agent-left-caller",))],
    # What ctx.add_participant_entrypoint() runs raises before it starts a session.
    "participant_entrypoint_raises": [Expected("own-task-raised", says="serve.*KeyError: 'customer'.*25\\.. s")],
    # on_enter awaits an AgentTask that says nothing and is never complete: ada says a word after 25 s, and hangs up.
    "task_says_nothing": [Expected(says="no word of the agent was recorded")],
    # An STT that has speech begin and end all the time, and gives no word of it. ada says nothing.
    "noise_taken_for_speech": [Expected(says="nothing of it was transcribed")],
    # livekit-agents 1.5.17: the agent lets nobody subscribe to its track, and answers three times; ada speaks on and
    # on, and is answered twice in the first 5 s.
    "voice_forbidden_1_5": [Expected(says="a model answered, and in 18\\.. s no word of the agent")],
    "never_pauses_1_5": [Expected(says="in the last 22\\.. s no word of ada.*as loud as a voice")],
    # The only one who comes is an ingress; an agent of another program, as one that plays a caller in a test is.
    "ingress_only": [Expected(says="no caller joined: only ada .INGRESS. and agent-")],
    "caller_is_an_agent": [Expected(says="only ada .AGENT. and agent-", reason="empty_timeout")],
    # The page is reloaded, and is back 1 s later under another identity; the session had closed with the first.
    "reloaded_as_another": [Expected("session-closed", says="ada-2 had an agent.*could not hear")],
    # A token whose canPublishSources is camera only; a caller who publishes a camera, and no microphone; one whose
    # client allows nobody to subscribe to its tracks any more (setTrackSubscriptionPermissions).
    "sources_without_microphone": [Expected("missing-permission", says="ada.*canPublishSources")],
    "pictures_only": [Expected(says="of ada no audio track is known, only video")],
    "caller_forbids_subscription": [Expected("agent-unsubscribed", says="17\\.. s heard nothing")],
    # The worker is killed (kill -9) with two jobs under way, of which this is one: ada is alone for 21 s.
    "worker_killed": [Expected("process-killed", says="as when its worker is killed", never=("job-ended-in-call",))],
    # A backend removes the agent.
    "agent_removed": [Expected("removed", says="agent-")],
    # A caller whose token has hidden=True, and speaks: the agent waits for anybody until the room closes. No API.
    "caller_hidden": [Expected("caller-hidden", says="ada was hidden.*waited 22.5 s")],
    # A realtime model that greets, has its caller speak three times, and makes no answer.
    "realtime_does_not_answer": [
        Expected(says="the agent said nothing in 12.* after ada spoke to it, and 2 times more")
    ],
    # session.say() with an audio iterator that never awaits: the loop stands still to the end, the worker kills the
    # process.
    "blocked_for_good": [Expected("event-loop-blocked", also=("killed-in-shutdown",), says="blocked for 18.9 s")],
    # The TTS raises an APIConnectionError for each text but the greeting; ada leaves 2 s after its last try.
    "tts_fails_later": [Expected("model-failed", says="TTS failed .APIConnectionError: no voice.*6.7 s")],
    # bob comes and goes, and livekit-agents 1.5.17's job ends with him (ctx.shutdown()): ada is alone for 15 s.
    "ends_with_another_1_5": [Expected(says="ada was alone for 15.1 s after the agent left")],
    # ada and the agent encrypt end to end, each with another key.
    "encrypted_with_another_key": [Expected(says="only silence.* encrypted .with another key")],
    # update_agent() to one whose STT raises as its stream is opened.
    "handed_over_to_broken_stt": [Expected("session-task-ended", says="stt_node raised RuntimeError: no such model")],
    # on_user_turn_completed takes 12 s each time; ada asks again and again meanwhile, and hears nothing.
    "each_turn_takes_long": [Expected("own-code-hangs", says="on_user_turn_completed .* took long.* 12.0 s")],
    # The worker's load_fnc raises, or takes 4 s: livekit-agents calls it before it answers the offer.
    "load_fnc_raises": [Expected("load-fnc-raised", says="RuntimeError: no such metric", never=("slow-request",))],
    "load_fnc_slow": [Expected("slow-request", says="4.1 s of it in load_fnc")],
    # A worker for publishers: bob's agent takes whoever is there first, ada, who has two agents, and he has none.
    "publishers_agent_takes_the_first": [Expected("linked-to-another", says="sent for bob.* linked to ada")],
    # agents.target_load of the server is 0.3, and the only worker reports a load of 0.5.
    "target_load_is_lower": [Expected("worker-not-asked", says="still running", never=("load-above-limit",))],
    # The server is killed and back at once, while the agent's code takes 9 s: the API was not missed by anybody, and
    # ada, who reconnects, is in another room, which the agent joins.
    "server_back_at_once": [
        Expected("server-restarted", also=("slow-code",), never=("ghost-room", "lost-webhooks"), violated=(6,)),
        Expected("agent-of-earlier-room", never=("ghost-room",), violated=(6,)),
    ],
    # The server is killed for good: the agent and its worker lose it, and nobody hears of it again.
    "server_never_back": [Expected("agent-lost-connection", says="its worker lost the server at that time too")],
    # The page is reloaded, and the agent shuts down its job as its session closes: ada is back, and alone.
    "reloaded_and_shut_down": [Expected("agent-left-caller", says="session closed when ada left, who came back 0.8 s")],
    # The agent accepts with identity="helper", which is its caller's: the server disconnects the caller.
    "agent_called_as_its_caller": [Expected("duplicate-identity", says="when an agent joined with the same identity")],
    # A backend gives up on a telephone that rings for 10 s, and removes it.
    "telephone_given_up": [Expected(says="the telephone of phone was last reported as ringing", never=("removed",))],
    # Meetings, while a worker is registered under a name: with a recorder; into one an agent is called after 11 s; two
    # listen to a third. Nobody had asked for an agent in the first and the last.
    "meetings": [
        Expected(says="perhaps none was wanted: ada and bob"),
        WELL,
        Expected(says="perhaps none was wanted: host, v1 and v2"),
    ],
    # A recorder is there first, and a listener (no canPublish) stays for 2 s after the caller; only a listener comes.
    "listens_only": [WELL, Expected("missing-permission", says="canPublish")],
    # The agent removes its caller to hang up; a backend removes an agent, and another one is there 0.7 s later.
    "removed_and_replaced": [WELL, WELL],
    # The caller's signalling breaks for a moment; then for so long that their client gives up.
    "caller_lost": [WELL, Expected(well=True, says="lost the connection of ada .CONNECTION_TIMEOUT.")],
    # ada leaves at once, after 0.25 s, and after 0.6 s: the first agent waits for nobody until the room closes.
    "leaves_at_once": [Expected(says="ada left after 0.0 s, before an agent"), UNKNOWN, WELL],
    # A backend requests the agent 1 s after the caller has left.
    "requested_too_late": [Expected(says="had no agent for 3.0 s; one was requested 1.0 s after they had left")],
    # An ingress and a telephone; an ingress and a hidden supervisor, for whom the agent does not wait.
    "supervisor_alone": [WELL, UNKNOWN],
    # simulateScenario() of ada's client: full reconnect, signalling, node failure, migration, the server's leave.
    "connection_simulated": [
        Expected("session-closed", says="ada came back 0.2 s later"),
        WELL,
        WELL,
        WELL,
        Expected(says="the server disconnected ada .SERVER_SHUTDOWN., who did not come back"),
    ],
    # The server is told to stop, at once (SIGTERM twice): the agent's session hears why ada left, and no webhook comes.
    "server_shuts_down": [Expected("server-restarted", says="SERVER_SHUTDOWN", never=("deployed",))],
    # on_user_turn_completed raises each time, and the model had been asked ahead of it (preemptive generation).
    "turn_raised_ahead": [Expected("on-turn-raised", says="TypeError.*17\\.3 s ada heard nothing")],
    # time.sleep(2.5) in a handler of metrics_collected: the LLM, too, is not listened to.
    "blocked_by_metrics": [Expected("event-loop-blocked", never=("model-silent",))],
    # A VAD that hears speech all the time; endpointing delays of 9 s, and ada asks every 7 s.
    "turn_never_over": [
        Expected(says="by its session ada spoke for 25.2 s without a pause"),
        Expected(says="ada spoke for 3.3 s, and no turn of theirs was over"),
    ],
    # An STT that gives words once: ada is answered, asks twice more, and waits.
    "understood_once": [Expected(says="ada spoke for 2.2 s, and nothing more of it was transcribed")],
    # ada, who says nothing, is linked; bob asks three times.
    "listens_to_the_silent_one": [Expected(says="no session listened to bob, only to ada, of whom only silence came")],
    # A function tool that returns None, to which livekit-agents gives no answer.
    "tool_returns_nothing": [Expected(says="said nothing in 17.3 s .* its model called gives_none 3 times")],
    # A realtime model that answers in text, and no TTS: ada hears nothing, and the session "speaks" for milliseconds.
    "realtime_answers_in_text": [Expected(says="the agent's 4 replies to ada were over at once")],
    # update_agent() of an agent whose on_exit awaits what never comes: ada asks twice more, and hears nothing.
    "on_exit_hangs": [Expected("own-code-hangs", also=("killed-in-shutdown",), says="on_exit .* did not return")],
    # The code waits for the caller's track before it starts the session; ada publishes one after 14 s.
    "waits_for_a_track": [Expected("slow-code", says="probably.*when ada had published a track")],
    # The LLM gives a sentence and the half of another, and then nothing: ada hears the first, and waits for 22 s.
    "model_stops_in_mid_sentence": [Expected("agent-speaks-silence", says="for 18.0 s of it nothing")],
    # Healthy.
    # Of two or three callers the one whom the session is linked to hangs up first, the others within 4 s.
    "ok_two_hang_up": [WELL, WELL],
    # ada interrupts, pauses, mutes, writes and types for 84 s, and is answered each time.
    "ok_long_with_pauses": [WELL],
    # session.start() connects by itself; a text-only agent, to whom ada writes three times; livekit-agents 1.3.12.
    "ok_connects_in_start": [WELL],
    "ok_text_only": [WELL],
    "ok_1_3": [WELL],
    # An avatar speaks for the agent, and is silent until ada has asked; the VAD raises, and the STT ends the turns.
    "ok_avatar": [WELL],
    "ok_without_vad": [WELL],
    # close_on_disconnect=False, and the page is reloaded; the agent dispatches another of its name, and leaves
    # 1 s later.
    "ok_kept_through_reload": [WELL],
    "ok_passes_on": [WELL],
    # ada is greeted, asks three times with silence between, and is answered each time, by models on this machine.
    "ok_conversation": [WELL],
    # session.input.audio is None and given back again and again; a tool hands over to an AgentTask that takes 14 s.
    "ok_push_to_talk": [WELL],
    "ok_task_in_tool": [WELL],
    # The permission to publish is granted 3 s after the join; the agent's own second session hears the second caller.
    "ok_permission_granted_late": [WELL],
    "ok_second_session": [WELL],
    "ok_switch": [WELL],
    "ok_long_back_muted": [Expected(well=True)],
    "ok_hold_music": [WELL],
    "ok_fixed_identity_plain": [UNKNOWN],
    "ok_handoff": [WELL],
    "ok_two_callers": [WELL],
    "ok_sip_deletes": [WELL],
    "ok_recorder": [WELL],
    # An agent in Node (@livekit/agents 1.9.0) that heard ada's tone as words, and answered with a tone of its own.
    "ok_node": [WELL],
    # In Node: the entry throws before it connects; in another room the model server refuses the agent's key (401).
    "case_node_fails": [
        Expected("never-connected", says="threw an error"),
        Expected("model-failed", says="APIStatusError.*bob had no answer"),
    ],
    # The agent takes its own voice for ada's, over and over: each reply is interrupted after a second.
    "hears_itself": [Expected(says="each of the agent's 10 replies was interrupted")],
    "hears_itself_1_3": [Expected(says="each of the agent's 1\\d replies was interrupted")],
    # Of each reply the TTS gives a second, and then nothing: ada waits, and asks again, which interrupts it.
    "tts_stops_until_interrupted": [Expected("agent-speaks-silence", says="only a part had been played")],
    # A sound without an end that must not be interrupted: ada asks three times more, hears it on and on, and leaves.
    "speaks_on_and_on": [Expected(says="spoke without an end for .* also while ada")],
    # The model says the same sentence over and over; ada listens for 40 s, and leaves.
    "model_never_stops": [Expected(says="spoke without an end for")],
    # In mid call livekit-server stands still for 8 s (SIGSTOP): ada and the agent hear nothing of each other meanwhile.
    "server_stands_still": [Expected(says="for at least 5.* nothing of the server reached the agent")],
    # ada interrupts two long answers, and listens to the third; leaves 18 s into an answer of 25 s.
    "ok_interrupted_twice": [WELL],
    "ok_leaves_in_a_long_answer": [WELL],
    # The agent plays a message of 12 s that must not be interrupted, ada speaks meanwhile, and is answered after it.
    "ok_message_not_to_be_interrupted": [WELL],
    # ada interrupts once, and hangs up in the next answer; the machine is busy, and what is played takes longer.
    "ok_interrupted_on_a_busy_machine": [WELL],
    # ada unpublishes the microphone after 8 s, publishes another 1 s later, and is answered as before.
    "ok_microphone_replaced": [WELL],
    # A supervisor who is hidden is there 15 s before the caller, speaks, and stays.
    "ok_hidden_supervisor": [WELL],
    # The agent hangs up a telephone with RemoveParticipant, and stays until the room closes.
    "ok_telephone_hung_up": [WELL],
}
"""The rooms of each recording, the oldest first."""
