// Asks once a second what has changed, and puts the parts of the page that did in their place.
(() => {
  const actsweep = (window.actsweep = window.actsweep || {});
  const script = document.currentScript;
  const address = script.dataset.state;
  const connection = document.getElementById("connection");
  const EVERY = 1000; // milliseconds
  const LONGEST = 10000;
  let version = script.dataset.version;
  let lost = null;
  let timer = null;

  const openOnes = (element) => [...element.querySelectorAll("details")];
  const scrolled = (element) => [...element.querySelectorAll(".wide")];
  const focusable = (element) => [...element.querySelectorAll("a, button, input, select, summary, [tabindex]")];
  const named = (details) => details.id || (details.querySelector("summary")?.textContent ?? "");

  // What the reader has opened, scrolled to and focused stays so.
  const replace = (element, html) => {
    const opened = new Map(openOnes(element).map((details) => [named(details), details.open]));
    const places = scrolled(element).map((wide) => [wide.scrollLeft, wide.scrollTop]);
    const kept = new Map([...element.querySelectorAll("[data-keep]")].map((one) => [one.dataset.keep, one]));
    const top = element.contains(document.activeElement) ? document.activeElement.getBoundingClientRect().top : null;
    const focused = focusable(element).indexOf(document.activeElement);
    element.innerHTML = html;
    // What a script has filled stays as it is, and is drawn into anew: so a plot keeps its zoom, a search its words.
    element.querySelectorAll("[data-keep]").forEach((one) => {
      const before = kept.get(one.dataset.keep);
      if (!before) return;
      before.style.cssText = one.style.cssText;
      one.replaceWith(before);
    });
    openOnes(element).forEach((details) => {
      if (opened.has(named(details))) details.open = opened.get(named(details));
    });
    scrolled(element).forEach((wide, index) => {
      if (places[index]) [wide.scrollLeft, wide.scrollTop] = places[index];
    });
    const again = focused >= 0 ? focusable(element)[focused] : null;
    again?.focus({ preventScroll: true });
    if (again && top !== null) window.scrollBy({ top: again.getBoundingClientRect().top - top, behavior: "instant" });
  };

  const say = (text) => {
    if (connection.textContent !== text) connection.textContent = text;
  };

  const show = (news) => {
    for (const [part, html] of Object.entries(news.parts)) {
      const element = document.querySelector(`[data-part="${CSS.escape(part)}"]`);
      if (element) replace(element, html);
    }
    version = news.version;
    if (news.data !== undefined && typeof actsweep.draw === "function") actsweep.draw(news.data);
  };

  const ask = async () => {
    const answer = await fetch(`${address}?seen=${encodeURIComponent(version)}`, {
      cache: "no-store",
      signal: AbortSignal.timeout(LONGEST),
    });
    if (answer.status === 200) show(await answer.json());
    else if (![204, 404].includes(answer.status)) throw new Error(`status ${answer.status}`);
    lost = null;
    say(answer.status === 404 ? "This study's folder is not there any more; should it come back, this page goes on." : "");
  };

  const turn = async () => {
    clearTimeout(timer);
    timer = null;
    try {
      await ask();
    } catch {
      lost = lost ?? new Date();
      say(`No connection to the dashboard since ${lost.toLocaleTimeString()}; what is shown is from then.`);
    }
    timer = setTimeout(turn, EVERY);
  };

  const two = (number) => String(number).padStart(2, "0");
  const tick = () => {
    document.querySelectorAll("[data-since]").forEach((element) => {
      if (lost) return;
      const seconds = Math.max(0, Math.round(Date.now() / 1000 - Number(element.dataset.since)));
      const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
      element.textContent = hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
    });
  };

  const now = () => {
    if (!document.hidden && timer !== null) turn();
  };
  document.addEventListener("visibilitychange", now);
  window.addEventListener("online", now);
  setInterval(tick, EVERY);
  tick();
  turn();
})();
