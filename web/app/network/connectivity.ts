/** Reports whether the browser is online. */

export class Connectivity {
  private readonly onChange = () => this.tell(navigator.onLine);

  constructor(private readonly tell: (online: boolean) => void) {}

  start(): void {
    addEventListener("online", this.onChange);
    addEventListener("offline", this.onChange);
    this.tell(navigator.onLine);
  }

  stop(): void {
    removeEventListener("online", this.onChange);
    removeEventListener("offline", this.onChange);
  }
}
