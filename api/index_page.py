"""The page at the API's root URL."""

from starlette.responses import Response

from api.html_page import html_page

BODY = """<h1>Storefleet</h1>
<p>Online stores on Kubernetes, one click each. This is the API. The dashboard isn't built here: run
<code>make dashboard</code>.</p>
<dl>
<div><dt><code>/graphql</code></dt><dd>GraphQL over HTTP and WebSocket (<code>graphql-transport-ws</code>)</dd></div>
<div><dt><code>/auth/sign-in</code></dt><dd>A session for browsers</dd></div>
<div><dt><a href="/readyz"><code>/readyz</code></a></dt><dd>Whether it can serve</dd></div>
<div><dt><a href="/healthz"><code>/healthz</code></a></dt><dd>Whether it is alive</dd></div>
<div><dt><a href="/metrics"><code>/metrics</code></a></dt><dd>Its figures, for Prometheus</dd></div>
</dl>"""


def index_page() -> Response:
    """Lists the endpoints, where there is no dashboard."""
    return html_page("Storefleet", BODY)
