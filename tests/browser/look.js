// What a page looks like, as a list of complaints: text that overlaps, and what is wider than the window.
() => {
  const boxes = [];
  const clipped = (box, element) => {
    let { left, top, right, bottom } = box;
    for (let each = element; each; each = each.parentElement) {
      const style = getComputedStyle(each);
      if (style.overflowX === "visible" && style.overflowY === "visible") continue;
      const frame = each.getBoundingClientRect();
      left = Math.max(left, frame.left);
      top = Math.max(top, frame.top);
      right = Math.min(right, frame.right);
      bottom = Math.min(bottom, frame.bottom);
    }
    return right - left > 1 && bottom - top > 1 ? { left, top, right, bottom } : null;
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const parent = node.parentElement;
    if (!node.data.trim() || parent.closest("title, script, style, template")) continue;
    // What is folded has a place, and is not seen.
    if (!parent.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const rect of range.getClientRects()) {
      const box = clipped(rect, parent);
      if (box) boxes.push({ ...box, node, text: node.data.trim().slice(0, 40) });
    }
  }
  boxes.sort((one, other) => one.top - other.top);
  const complaints = [];
  boxes.forEach((one, place) => {
    for (let next = place + 1; next < boxes.length && boxes[next].top < one.bottom - 3; next += 1) {
      const other = boxes[next];
      const wide = Math.min(one.right, other.right) - Math.max(one.left, other.left);
      const high = Math.min(one.bottom, other.bottom) - other.top;
      if (one.node !== other.node && wide > 2 && high > 3) {
        complaints.push(`"${one.text}" and "${other.text}" overlap by ${wide.toFixed()} x ${high.toFixed()} px`);
      }
    }
  });
  const wide = document.documentElement.scrollWidth;
  if (wide > window.innerWidth) complaints.push(`the page is ${wide} px wide, the window ${window.innerWidth} px`);
  return complaints.slice(0, 10);
};
