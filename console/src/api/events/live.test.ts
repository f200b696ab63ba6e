import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Client } from '../kernel/client';
import { Live, backoffMs } from './live';
import { Problem } from '../kernel/problems';

describe('the wait before another attempt', () => {
  it('grows each time, up to a bound', () => {
    const waits = Array.from({ length: 40 }, (_, n) => backoffMs(n + 1, 1));
    expect(waits.slice(0, 4)).toEqual([500, 1_000, 2_000, 4_000]);
    expect(Math.max(...waits)).toBe(20_000);
  });

  it('is never nothing, and never in step', () => {
    expect(backoffMs(1, 0)).toBe(250);
    expect(backoffMs(30, 0)).toBe(10_000);
  });
});

/** A connection that the test holds the other end of. */
class Wire {
  readonly headers: Record<string, string>;
  readonly response: Response;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;

  constructor(headers: Record<string, string>, signal: AbortSignal) {
    this.headers = headers;
    const stream = new ReadableStream<Uint8Array>({
      start: (controller) => {
        this.#controller = controller;
        signal.addEventListener('abort', () => {
          // A stream that has ended already cannot fail any more.
          if (controller.desiredSize !== null) controller.error(signal.reason);
        });
      },
    });
    this.response = new Response(stream);
  }

  async send(text: string): Promise<void> {
    this.#controller?.enqueue(new TextEncoder().encode(text));
    await vi.advanceTimersByTimeAsync(0);
  }

  async hangUp(): Promise<void> {
    this.#controller?.close();
    await vi.advanceTimersByTimeAsync(0);
  }
}

class WiredClient extends Client {
  wires: Wire[] = [];
  refusal: Problem | null = null;

  override async open(_path: string, headers: Record<string, string>, signal: AbortSignal): Promise<Response> {
    if (this.refusal !== null) throw this.refusal;
    const wire = new Wire(headers, signal);
    this.wires.push(wire);
    return wire.response;
  }
}

describe('the live connection', () => {
  let client: WiredClient;
  let live: Live;
  let told: string[];

  beforeEach(async () => {
    vi.useFakeTimers();
    client = new WiredClient();
    told = [];
    live = new Live(client, {
      opened: (continued) => told.push(continued ? 'continued' : 'opened'),
      event: (name, data) => told.push(`${name} ${JSON.stringify(data)}`),
      state: () => undefined,
    });
    void live.run();
    await vi.advanceTimersByTimeAsync(0);
  });

  afterEach(() => {
    live.close();
    vi.useRealTimers();
  });

  it('tells events as they come', async () => {
    await client.wires[0]?.send('id: 1\nevent: ready\ndata: {}\n\nevent: post\nid: 2\ndata: {"id":"7"}\n\n');
    expect(told).toEqual(['opened', 'ready {}', 'post {"id":"7"}']);
  });

  it('goes on after the last event it saw when the connection ends', async () => {
    expect(client.wires[0]?.headers['Last-Event-ID']).toBeUndefined();
    await client.wires[0]?.send('id: 41\nevent: post\ndata: {}\n\n');
    await client.wires[0]?.hangUp();
    await vi.advanceTimersByTimeAsync(500);
    expect(client.wires).toHaveLength(2);
    expect(client.wires[1]?.headers['Last-Event-ID']).toBe('41');
    expect(told.at(-1)).toBe('continued');
  });

  it('gives a silent connection up, and keeps one that pings', async () => {
    for (let n = 0; n < 10; n += 1) {
      await vi.advanceTimersByTimeAsync(15_000);
      await client.wires[0]?.send(': ping\n\n');
    }
    expect(client.wires).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(45_500);
    expect(client.wires).toHaveLength(2);
  });

  it('connects at once when it is asked to', async () => {
    client.refusal = new Problem('CMN-204', 'Service is temporarily unavailable', 503);
    await client.wires[0]?.hangUp();
    await vi.advanceTimersByTimeAsync(60_000);
    client.refusal = null;
    live.retryNow();
    await vi.advanceTimersByTimeAsync(0);
    expect(client.wires).toHaveLength(2);
  });

  it('stops for good when there is no session, and when it is closed', async () => {
    client.refusal = new Problem('CMN-405', 'Login', 401);
    await client.wires[0]?.hangUp();
    await vi.advanceTimersByTimeAsync(1_000);
    client.refusal = null;
    await vi.advanceTimersByTimeAsync(120_000);
    expect(client.wires).toHaveLength(1);
  });
});
