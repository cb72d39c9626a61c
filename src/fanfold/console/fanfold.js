// Keeps an open page true: asks now and then whether something changed, and if so fetches the page
// again and puts its content in the place of the old. Without this script every page can be read,
// and reloaded by hand.
(() => {
  "use strict";
  const changes = "/api/v1/changes";
  let version = null;
  let everyMs = 5000;
  let seenAt = new Date();
  let failedSince = null;

  const clock = (at) => at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });

  function tell(words) {
    const note = document.getElementById("stale");
    if (!note) return;
    note.hidden = !words;
    if (note.textContent !== words) note.textContent = words;
  }

  // What somebody types, has chosen or marks stays as it is until they are done.
  function isBusy() {
    const at = document.activeElement;
    const types = at && at.closest("main form") && at.matches("input, select, textarea");
    const marks = String(document.getSelection() || "") !== "";
    return Boolean(types || marks || document.querySelector("dialog[open]"));
  }

  const opened = () =>
    new Set([...document.querySelectorAll("main details[open] > summary")].map((each) => each.textContent));

  function nameOf(element) {
    if (!element || !element.closest("main")) return null;
    if (element.id) return "#" + CSS.escape(element.id);
    const path = element.getAttribute("href");
    return path ? `main a[href="${CSS.escape(path)}"]` : null;
  }

  function replace(source) {
    const fresh = new DOMParser().parseFromString(source, "text/html");
    const main = fresh.getElementById("main");
    const old = document.getElementById("main");
    if (!main || !old) return;
    const open = opened();
    const focused = nameOf(document.activeElement);
    for (const summary of main.querySelectorAll("details > summary")) {
      if (open.has(summary.textContent)) summary.parentElement.open = true;
    }
    old.replaceWith(document.importNode(main, true));
    document.title = fresh.title;
    const time = document.getElementById("clock");
    const now = fresh.getElementById("clock");
    if (time && now) time.textContent = now.textContent;
    const again = focused && document.querySelector(focused);
    if (again) again.focus({ preventScroll: true });
  }

  async function refresh() {
    const answer = await fetch(location.href, { cache: "no-store", credentials: "same-origin" });
    if (answer.status === 401 || answer.redirected) {
      location.reload();
      return;
    }
    if (answer.ok) replace(await answer.text());
  }

  async function look() {
    const headers = version ? { "If-None-Match": version } : {};
    const answer = await fetch(changes, { headers, cache: "no-store", credentials: "same-origin" });
    if (answer.status === 200) {
      const found = answer.headers.get("ETag");
      const body = await answer.json();
      everyMs = Math.max(1000, body.poll_seconds * 1000);
      if (version && found !== version) {
        if (isBusy()) return;
        await refresh();
      }
      version = found;
    } else if (answer.status !== 304) {
      throw new Error(String(answer.status));
    }
    seenAt = new Date();
  }

  async function turn() {
    if (!document.hidden) {
      try {
        await look();
        failedSince = null;
        tell("");
      } catch {
        failedSince = failedSince || new Date();
        tell(`No answer since ${clock(failedSince)}: what is shown here is of ${clock(seenAt)}.`);
      }
    }
    setTimeout(turn, everyMs);
  }

  document.addEventListener("visibilitychange", () => { if (!document.hidden) look().catch(() => {}); });
  turn();
})();
