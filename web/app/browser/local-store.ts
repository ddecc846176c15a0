/** localStorage that never throws; where it is forbidden, nothing is stored. */

export interface KeyValueStore {
  read(name: string): string | null;
  write(name: string, value: string): void;
  remove(name: string): void;
}

const PREFIX = "parcours-xl.";

export const localStore: KeyValueStore = {
  read(name) {
    try {
      return localStorage.getItem(PREFIX + name);
    } catch {
      return null;
    }
  },
  write(name, value) {
    try {
      localStorage.setItem(PREFIX + name, value);
    } catch {
      // Private windows and full disks: the page works without.
    }
  },
  remove(name) {
    try {
      localStorage.removeItem(PREFIX + name);
    } catch {
      // As above.
    }
  },
};
