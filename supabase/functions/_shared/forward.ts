// supabase-js always calls <project>.supabase.co/functions/v1/<name>, and so does Suno's callback.
// Each function here passes its request on to the Parcours XL service, and the answer back.

/** Where the service answers, as in https://parcours.example.org: the one secret. */
const SERVICE = "PARCOURS_XL_URL";

/** create may take 15 s for its brief; Suno gives a callback 15 s. */
const ANSWER_MS_MAX = 25_000;

/** Of one connection only, so never passed on (RFC 9110, 7.6.1); fetch has decoded the body. */
const NOT_PASSED_ON = [
  "connection",
  "content-encoding",
  "content-length",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
];

/** A handler that asks the service's function of this name. */
export function forwardTo(name: string): (request: Request) => Promise<Response> {
  return async (request) => {
    const service = Deno.env.get(SERVICE);
    if (!service) return refuse(503, `the secret ${SERVICE} is not set`);
    try {
      const answer = await fetch(addressOf(request, service, name), {
        method: request.method,
        headers: passOn(request.headers),
        body: request.body,
        redirect: "manual",
        signal: AbortSignal.timeout(ANSWER_MS_MAX),
      });
      return new Response(answer.body, { status: answer.status, headers: passOn(answer.headers) });
    } catch (error) {
      // The address may carry a callback's token: only the kind of error is told.
      console.error(`${name}: ${(error as Error).name}`);
      return (error as Error).name === "TimeoutError"
        ? refuse(504, "the service did not answer in time")
        : refuse(503, "the service is unavailable");
    }
  };
}

function addressOf(request: Request, service: string, name: string): string {
  const { pathname, search } = new URL(request.url);
  const below = pathname.slice(pathname.indexOf(name) + name.length);
  return `${service.replace(/\/+$/, "")}/functions/v1/${name}${below}${search}`;
}

function passOn(headers: Headers): Headers {
  const passed = new Headers(headers);
  NOT_PASSED_ON.forEach((header) => passed.delete(header));
  return passed;
}

function refuse(status: number, error: string): Response {
  // Pages of any origin may read it, or their browsers would call it a CORS failure.
  const headers = { "Access-Control-Allow-Origin": "*", "Retry-After": "2" };
  return Response.json({ error }, { status, headers });
}
