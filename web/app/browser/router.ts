/** Keeps the route in the URL, so that the Back button works. */

export type Route =
  | { readonly name: "home" }
  | { readonly name: "card"; readonly key: string }
  | { readonly name: "listen" }
  | { readonly name: "runs" }
  | { readonly name: "keep" };

export const HOME: Route = { name: "home" };

export function hashOf(route: Route): string {
  if (route.name === "home") return "#";
  return route.name === "card" ? `#card/${route.key}` : `#${route.name}`;
}

export function routeOf(hash: string): Route {
  const [name, key] = hash.replace(/^#/, "").split("/", 2);
  if (name === "card" && key) return { name, key };
  if (name === "listen" || name === "runs" || name === "keep") return { name };
  return HOME;
}

export class Router {
  private readonly onHashChange = () => this.tell(routeOf(location.hash));

  constructor(private readonly tell: (route: Route) => void) {}

  start(): void {
    addEventListener("hashchange", this.onHashChange);
  }

  stop(): void {
    removeEventListener("hashchange", this.onHashChange);
  }

  go(route: Route): void {
    if (hashOf(routeOf(location.hash)) === hashOf(route)) this.tell(route);
    else location.hash = hashOf(route);
  }
}
