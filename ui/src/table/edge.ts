// What sticks to the top of the window covers rows.

/** Where content begins below what sticks to the top of the window. */
export function stickyEdge(): number {
  const bar = document.querySelector('.top');
  return bar && getComputedStyle(bar).position === 'sticky' ? bar.getBoundingClientRect().height : 0;
}
