/** Where the focus goes when what had it is replaced or taken away: to the same thing by its id, else to what stands in
 *  its place now, looked for from the nearest part that has a name outwards. A part may name another place for that:
 *  `data-focus`, an id. Who uses the keyboard goes on from there. */
{
  const PLACES = "a[href], button:not(:disabled), input:not([type=hidden], :disabled), textarea, select, summary, [tabindex='0']";
  const placesIn = (part) => [...part.querySelectorAll(PLACES)];
  const SETTLING = 50;
  let way = [];

  document.addEventListener("focusin", ({ target }) => {
    way = [{ id: target.id, at: 0 }];
    for (let part = target.parentElement; part; part = part.parentElement) {
      if (part.id) way.push({ id: part.id, at: placesIn(part).indexOf(target) });
    }
  });
  // Who presses beside everything wants no focus.
  document.addEventListener("pointerdown", () => { way = []; });

  const find = () => {
    const parts = way.map(({ id, at }) => ({ part: id && document.getElementById(id), at })).filter(({ part }) => part);
    const named = parts.map(({ part }) => part.dataset.focus && document.getElementById(part.dataset.focus));
    const same = way[0]?.id && document.getElementById(way[0].id);
    // Its own request is on the way and gives it back.
    if (same?.disabled) return;
    const inPlace = parts.map(({ part, at }) => {
      const places = placesIn(part).filter((place) => place.checkVisibility?.() ?? true);
      return places[Math.min(at, places.length - 1)];
    });
    for (const place of [same, ...named, ...inPlace]) {
      if (document.activeElement !== document.body) return;
      place?.focus?.();
    }
  };
  // Parts that know better, like a conversation or a field with `autofocus`, have had their say by then. A request
  // that changes nothing settles nothing, but its button was disabled meanwhile.
  for (const kind of ["htmx:afterSettle", "htmx:afterRequest"]) {
    document.addEventListener(kind, () => setTimeout(find, SETTLING));
  }
}
