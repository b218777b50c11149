// Keeps the page up to date, and lets its buttons work without leaving it. The page reads well without this.
"use strict";
const said = document.getElementById("said");
let waiting = 0;

function say(words) {
  said.textContent = words;
  said.classList.toggle("problem", words !== "");
}

function parsed(text) {
  return new DOMParser().parseFromString(text, "text/html");
}

function show(fresh) {
  for (const part of document.querySelectorAll("[data-live]")) {
    const other = fresh.getElementById(part.id);
    if (other && other.innerHTML !== part.innerHTML) part.innerHTML = other.innerHTML;
  }
}

async function refresh() {
  clearTimeout(waiting);
  const began = Date.now();
  try {
    if (!document.hidden) {
      show(parsed(await (await fetch(location.href)).text()));
      if (said.dataset.alone) { delete said.dataset.alone; say(""); }
    }
  } catch {
    said.dataset.alone = "yes";
    say("The sandbox does not answer any more.");
  }
  waiting = setTimeout(refresh, Math.max(2000, 10 * (Date.now() - began)));
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.hasAttribute("data-quiet")) return;
  event.preventDefault();
  const fields = new URLSearchParams(new FormData(form, event.submitter));
  event.submitter.disabled = true;
  try {
    const answer = await fetch(form.action, { method: "POST", body: fields });
    say(parsed(await answer.text()).getElementById("said").textContent);
    await refresh();
  } catch {
    say("The sandbox does not answer any more.");
  }
  event.submitter.disabled = false;
});

document.addEventListener("visibilitychange", refresh);
waiting = setTimeout(refresh, 2000);
