// Runs before the first paint: puts the chosen theme on the root element, so that the page never flashes.
const chosen = localStorage.getItem('runlake.theme');
if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset['theme'] = chosen;
