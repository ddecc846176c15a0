/** Once for each build: what is worth it beside itself as FILE.br and FILE.gz, for the service to send. */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

/** Pictures, sound and typefaces are compressed by themselves. */
const TEXT = /\.(html|js|css|svg|json|webmanifest)$/;

export function compressed(): Plugin {
  return {
    name: "compressed",
    apply: "build",
    writeBundle({ dir }) {
      if (dir) for (const file of textsBelow(dir)) compress(file);
    },
  };
}

function textsBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => TEXT.test(name))
    .map((name) => join(folder, name));
}

function compress(file: string): void {
  const bytes = readFileSync(file);
  const variants = { br: brotliCompressSync(bytes), gz: gzipSync(bytes, { level: 9 }) };
  for (const [ending, smaller] of Object.entries(variants)) {
    if (smaller.length < bytes.length) writeFileSync(`${file}.${ending}`, smaller);
  }
}
