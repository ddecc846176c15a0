import { defineConfig } from "vite";

export default defineConfig({
  build: {
    target: "es2022",
    minify: false,
    lib: { entry: "index.ts", formats: ["es"], fileName: "index" },
    // The page that installs this has its own client: there must be one supabase-js, not two.
    rolldownOptions: { external: ["@supabase/supabase-js"] },
  },
});
