// A worker that posts one text after the other, whatever the tests' own thread is doing.

import { once } from 'node:events';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

/** Posts `texts` to `url` from a thread of its own. */
export async function startChatter({ url, token, texts }) {
  const worker = new Worker(new URL(import.meta.url), { workerData: { url, token, texts } });
  const finished = once(worker, 'exit');
  await once(worker, 'message');
  return {
    /** Waits until all is posted. */
    async finish() {
      const [code] = await finished;
      if (code !== 0) throw new Error('the chatter was interrupted');
    },
  };
}

if (!isMainThread && workerData?.texts) {
  const { url, token, texts } = workerData;
  for (const text of texts) {
    const response = await fetch(url, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
      body: JSON.stringify({ text }),
    });
    if (response.status !== 201) throw new Error(`not posted: ${response.status}`);
    await response.body.cancel();
    if (text === texts[0]) parentPort.postMessage('begun');
  }
}
