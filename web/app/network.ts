/** What the browser knows about its network. */

export class Network {
  private readonly turned = () => this.tell(navigator.onLine);

  constructor(private readonly tell: (online: boolean) => void) {}

  start(): void {
    addEventListener("online", this.turned);
    addEventListener("offline", this.turned);
    this.tell(navigator.onLine);
  }

  stop(): void {
    removeEventListener("online", this.turned);
    removeEventListener("offline", this.turned);
  }
}
