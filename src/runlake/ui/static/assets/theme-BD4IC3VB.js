var e=localStorage.getItem("runlake.theme");(e==="light"||e==="dark")&&(document.documentElement.dataset.theme=e);
