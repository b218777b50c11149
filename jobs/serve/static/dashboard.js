"use strict";
// The page reads without this; with it, it stays up to date without losing where somebody is.
const EVERY = 30000;

async function refresh() {
  const main = document.getElementById("main");
  if (document.hidden || main.contains(document.activeElement) && document.activeElement !== main) return;
  try {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (!answer.ok) throw new Error(String(answer.status));
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    main.replaceChildren(...fresh.getElementById("main").childNodes);
    document.getElementById("now").textContent = fresh.getElementById("now").textContent;
    document.body.classList.remove("stale");
  } catch {
    document.body.classList.add("stale");
  }
}

setInterval(refresh, EVERY);
document.addEventListener("visibilitychange", refresh);
