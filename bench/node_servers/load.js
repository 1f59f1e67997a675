// Sends one operation for some seconds over some connections, with autocannon, and prints the figures as JSON.
// `NAME` in the body is another text in each request.
import autocannon from "autocannon";

const { url, token, body, connections, seconds } = JSON.parse(process.argv[2]);
let number = 0;
const result = await autocannon({
  url,
  connections,
  duration: seconds,
  method: "POST",
  headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
  body,
  verifyBody: (answer) => answer.includes('"data":{') && !answer.includes('"errors":['),
  ...(body.includes("NAME") && {
    requests: [{ setupRequest: (request) => ({ ...request, body: body.replace("NAME", `Name ${Date.now()} ${number++}`) }) }],
  }),
});
console.log(
  JSON.stringify({
    rate: result.requests.average,
    p50: result.latency.p50,
    p99: result.latency.p99,
    failed: result.errors + result.timeouts + result.non2xx + result.mismatches,
  }),
);
