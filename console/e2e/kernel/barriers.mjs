// What stands in somebody's way on a page, at three widths, in light and dark. Takes pictures on the way.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { settled } from './stage.mjs';
import { picture } from './visitor.mjs';

const sizes = [[390, 844], [820, 1080], [1360, 900]];

/** Goes to each of `places`: a name, a path, and what to do there first. Returns every barrier of these `impacts` in words. */
export async function barriersAt(visitor, places, { ready = settled, impacts = ['minor', 'moderate', 'serious', 'critical'] } = {}) {
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const barriers = [];
  const page = await visitor.open('/');
  for (const [width, height] of sizes) {
    for (const colorScheme of ['light', 'dark']) {
      await page.setViewportSize({ width, height });
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      for (const [name, path, act] of places) {
        await page.goto(visitor.origin + path);
        await ready(page);
        await act?.(page);
        await picture(page, `${name}-${width}-${colorScheme}`);
        const beside = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
        if (beside > 0) barriers.push(`${name} ${width}: ${beside} pixels wider than the screen`);
        await page.evaluate(axe);
        const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
        for (const { id, impact, nodes } of violations) {
          if (!impacts.includes(impact)) continue;
          for (const node of nodes) barriers.push(`${name} ${width} ${colorScheme}: ${impact} ${id}: ${node.html} ${node.failureSummary}`);
        }
      }
    }
  }
  return barriers;
}
