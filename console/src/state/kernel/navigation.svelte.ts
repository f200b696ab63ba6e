// Where the page is, and how to go elsewhere. The address is the state: back and forward just work.

import { type Route, routeOf } from '../../routes';

class Navigation {
  #url = $state.raw(new URL(location.href));
  readonly route: Route = $derived(routeOf(this.#url));
  /** What narrows the page. */
  readonly search: URLSearchParams = $derived(this.#url.searchParams);
  /** True after the reader's first move: the first page of a visit must not take the focus. */
  moved = $state(false);

  get path(): string {
    return this.#url.pathname + this.#url.search;
  }

  /** Begins to follow the address and clicks on links of our own. Returns how to stop. */
  start(): () => void {
    const popped = (): void => {
      this.moved = true;
      this.#follow();
    };
    const clicked = (event: MouseEvent): void => this.#clicked(event);
    addEventListener('popstate', popped);
    document.addEventListener('click', clicked);
    return () => {
      removeEventListener('popstate', popped);
      document.removeEventListener('click', clicked);
    };
  }

  go(path: string): void {
    if (path === this.path) return;
    history.pushState(null, '', path);
    this.moved = true;
    this.#follow();
  }

  replace(path: string): void {
    history.replaceState(null, '', path);
    this.#follow();
  }

  #follow(): void {
    this.#url = new URL(location.href);
  }

  #clicked(event: MouseEvent): void {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest('a') : null;
    if (link === null || link.target !== '' || link.origin !== location.origin || link.hasAttribute('download')) return;
    if (link.hash !== '' && link.pathname === location.pathname) return;
    event.preventDefault();
    this.go(link.pathname + link.search);
  }
}

export const navigation = new Navigation();
