import { forwardTo } from "../_shared/forward.ts";

Deno.serve(forwardTo("parcours-xl-reserve"));
