// Chooses the colour scheme before the first paint. A file of its own, because the policy allows no inline script.
;(function () {
  var mode = 'system'
  try {
    mode = localStorage.getItem('sf-mode') || mode
  } catch {
    // Storage may be blocked: the system's scheme is the default.
  }
  if (mode !== 'light' && mode !== 'dark') mode = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'
  document.documentElement.setAttribute('data-scheme', mode)
})()
