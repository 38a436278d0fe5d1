// The page: what is in the address is shown, and shown anew when it changes.
"use strict";

(() => {
  const { make } = Tracer;
  const main = document.getElementById("main");
  const live = document.getElementById("live");
  const text = document.getElementById("text");
  const say = document.getElementById("say");
  const embedded = document.getElementById("data");
  Tracer.isFile = Boolean(embedded);
  const KEY = "tracer-read-token";
  let shown = null;
  let stopListening = () => {};
  /** The list that was shown last: who comes back to it finds it as it was. */
  let kept = null;
  /** Whether what is shown next was gone to from here, and from which room. */
  let isGoing = false;
  let left = "";

  class Refused extends Error {}

  async function ask(path, options = {}) {
    const token = sessionStorage.getItem(KEY);
    const headers = token ? { Authorization: `Bearer ${token}` } : {};
    const answer = await fetch(path, { headers, cache: "no-store", ...options });
    if (answer.status === 401) throw new Refused();
    if (!answer.ok) throw new Error((await answer.text()).trim() || `the receiver answered ${answer.status}`);
    return answer;
  }

  function showError(error) {
    if (error.name === "AbortError") return;
    if (error instanceof Refused) askForToken();
    else main.replaceChildren(make("p", "error", error.message));
  }

  function askForToken() {
    const field = make("input");
    field.type = "password";
    field.autocomplete = "off";
    field.id = "token";
    const label = make("label", "", "TRACER_READ_TOKEN of this receiver");
    label.htmlFor = "token";
    const button = make("button", "button", "Open");
    const form = make("form", "token", null, label, field, button);
    if (sessionStorage.getItem(KEY)) form.append(make("p", "error", "That was another one."));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      sessionStorage.setItem(KEY, field.value.trim());
      route();
    });
    main.replaceChildren(form);
    field.focus();
  }

  /** Call `onChange` when a room changes (any, for none), until the function that is returned is called. */
  function listen(rooms, onChange) {
    const stop = new AbortController();
    const query = rooms.map((room) => `room=${encodeURIComponent(room)}`).join("&");
    (async () => {
      while (!stop.signal.aborted) {
        try {
          const answer = await ask(`/api/changes?${query}`, { signal: stop.signal });
          state("live");
          const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
          let rest = "";
          for (;;) {
            const { done, value } = await reader.read();
            if (done) break;
            const events = (rest + value).split("\n\n");
            rest = events.pop();
            for (const event of events) {
              const data = event.split("\n").find((line) => line.startsWith("data: "));
              if (data) onChange(JSON.parse(data.slice(6)));
            }
          }
        } catch (error) {
          if (stop.signal.aborted || error instanceof Refused) return;
        }
        state("reconnecting");
        await new Promise((resolve) => setTimeout(resolve, 1000));
      }
    })();
    return () => stop.abort();
  }

  /** Tell who does not see it. */
  function tell(words) {
    if (say.textContent !== words) say.textContent = words;
  }

  /** Show what was gone to: its keys are next, and it is seen from its top, or where it was left. */
  function enter(element) {
    if (element.isConnected) return;
    main.replaceChildren(element);
    if (!isGoing) return;
    isGoing = false;
    const link = shown.link?.(left);
    if (!link) scrollTo(0, 0);
    (link ?? main).focus({ preventScroll: !link });
  }

  function state(words) {
    live.textContent = words;
    live.className = words;
  }

  /** Does `work` again whenever it is called, one at a time; what is called meanwhile is once more. */
  function oneAtATime(work) {
    let isBusy = false;
    let isWanted = false;
    return async function again() {
      isWanted = true;
      if (isBusy) return;
      isBusy = true;
      try {
        while (isWanted) {
          isWanted = false;
          await work();
        }
      } catch (error) {
        showError(error);
      } finally {
        isBusy = false;
      }
    };
  }

  function showRooms(search) {
    document.title = "tracer";
    const isKept = kept?.search === search;
    const list = isKept ? kept : new Tracer.RoomList(search);
    const load = async (after) => {
      const { opened } = list;
      const answer = await ask(`/api/rooms?search=${encodeURIComponent(search)}&after=${after}`);
      const found = await answer.json();
      // Of what was opened meanwhile the beginning alone is no news.
      if (shown !== list || (!after && list.opened !== opened)) return;
      list.show(found, after);
      if (search && !after) tell(`${found.rooms.length}${found.more === null ? "" : " or more"} rooms found`);
      enter(list.element);
    };
    list.load = (after) => load(after).catch(showError);
    shown = kept = list;
    if (isKept) enter(list.element);
    // What was opened behind the first page stays as it is: rooms would move under the reader's eyes.
    const again = oneAtATime(async () => {
      if (list.opened) return list.offerNewest();
      const began = performance.now();
      await load(0);
      // Of a search among very many rooms the receiver is asked the less often the longer it took.
      if (search) await new Promise((resolve) => setTimeout(resolve, 4 * (performance.now() - began)));
    });
    again();
    stopListening = listen([], again);
    const every = setInterval(() => list.opened || again(), 5000);
    const stop = stopListening;
    stopListening = () => {
      clearInterval(every);
      stop();
    };
  }

  function showRoom(sids) {
    const views = sids.map((sid) => new Tracer.Room(sid));
    const box = make("div", views.length > 1 ? "pair" : "single", null, ...views.map((view) => view.element));
    shown = box;
    if (views.length > 1) views[0].pair(views[1]);
    const reload = views.map((view) =>
      oneAtATime(async () => {
        const answer = await ask(`/api/rooms/${encodeURIComponent(view.sid)}${view.everything ? "?all" : ""}`);
        const room = await answer.json();
        if (shown !== box) return;
        const before = view.element.className;
        view.show(room, 0);
        document.title = `${room.room.name ?? room.room.sid} · tracer`;
        enter(box);
        if (view.element.className !== before) tell(view.element.querySelector("h1").textContent);
      }),
    );
    views.forEach((view, at) => {
      view.reload = reload[at];
      view.reload();
    });
    const stop = listen(sids, ({ room }) => reload[sids.indexOf(room)]?.());
    // What is missing gets longer though nothing comes: as of now, now and then.
    const every = setInterval(() => views.forEach((view, at) => view.room?.room.open && reload[at]()), 5000);
    stopListening = () => {
      stop();
      clearInterval(every);
      views.forEach((view) => view.stop());
    };
  }

  function route(event) {
    stopListening();
    isGoing = Boolean(event) && document.activeElement !== text;
    left = event ? (new URLSearchParams(new URL(event.oldURL).hash.slice(1)).get("room") ?? "") : "";
    stopListening = () => {};
    const address = new URLSearchParams(location.hash.slice(1));
    const rooms = [...new Set(address.getAll("room").filter(Boolean))].slice(0, 2);
    const search = address.get("search") ?? "";
    if (document.activeElement !== text) text.value = search;
    if (rooms.length) showRoom(rooms);
    else showRooms(search);
  }

  function showFile() {
    const rooms = JSON.parse(embedded.textContent);
    document.getElementById("search").remove();
    const views = rooms.map((room) => [new Tracer.Room(room.room.sid), room]);
    main.append(make("div", views.length > 1 ? "pair" : "single", null, ...views.map(([view]) => view.element)));
    if (views.length > 1) views[0][0].pair(views[1][0]);
    for (const [view, room] of views) view.show(room, 0);
  }

  if (Tracer.isFile) {
    showFile();
    return;
  }
  let typing;
  const find = () => {
    const search = text.value.trim();
    location.hash = search ? `search=${encodeURIComponent(search)}` : "";
  };
  text.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(find, 250);
  });
  document.getElementById("search").addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(typing);
    find();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && document.activeElement !== text && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      text.focus();
    }
  });
  addEventListener("hashchange", route);
  route();
})();
