// Builds the console into `dist/`, which the server embeds.

import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';

/**
 * The card renderer asks for three pass-through Trusted Types policies when it loads. We never use
 * the paths behind them, and granting them would let any string become HTML, so they are taken out.
 * Fails the build when the renderer changes, so the hole cannot come back unnoticed.
 */
function withoutCardPolicies(): Plugin {
  const asked = /\(_[a-z] = window\.trustedTypes\) === null \|\| _[a-z] === void 0 \? void 0 : _[a-z]\.createPolicy\(/g;
  const policiesByFile = new Map([
    ['card-elements.js', 2],
    ['utils.js', 1],
  ]);
  return {
    name: 'without-card-policies',
    enforce: 'pre',
    transform(code, id) {
      const file = /\/adaptivecards\/lib\/([^/?]+\.js)/.exec(id)?.[1];
      if (file === undefined) return null;
      const found = code.match(asked)?.length ?? 0;
      const expected = policiesByFile.get(file) ?? 0;
      if (found !== expected || (code.match(/createPolicy/g)?.length ?? 0) !== expected) {
        this.error(`${file} asks for ${found} Trusted Types policies, expected ${expected}`);
      }
      return found === 0 ? null : { code: code.replace(asked, '((_name, _rules) => undefined)('), map: null };
    },
  };
}

export default defineConfig({
  plugins: [withoutCardPolicies(), svelte()],
  resolve: {
    alias: [
      // The renderer's carousel needs swiper; we do not register carousels.
      { find: /^swiper(\/modules)?$/, replacement: fileURLToPath(new URL('src/components/messaging/cards/no-swiper.ts', import.meta.url)) },
    ],
  },
  build: {
    target: ['chrome125', 'firefox128', 'safari18'],
    modulePreload: { polyfill: false },
    // Fonts and pictures inlined as data: URLs would bypass the cache and font-src.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 600,
  },
  server: {
    // The real server, for everything that is not the page itself.
    proxy: Object.fromEntries(
      ['/api', '/console/session', '/restapi', '/team-messaging'].map((path) => [path, process.env['HOOKYARD_URL'] ?? 'http://127.0.0.1:8080']),
    ),
  },
  optimizeDeps: { exclude: ['adaptivecards'] },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
