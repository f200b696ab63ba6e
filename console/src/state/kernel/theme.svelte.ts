// Light, dark, or what the system says. Remembered in this browser.

export type Theme = 'system' | 'light' | 'dark';

export const themes: readonly Theme[] = ['system', 'light', 'dark'];
const KEY = 'hookyard.theme';

function remembered(): Theme {
  const value = localStorage.getItem(KEY);
  return themes.find((theme) => theme === value) ?? 'system';
}

class ThemeChoice {
  #theme = $state<Theme>(remembered());

  get current(): Theme {
    return this.#theme;
  }

  choose(theme: Theme): void {
    this.#theme = theme;
    if (theme === 'system') localStorage.removeItem(KEY);
    else localStorage.setItem(KEY, theme);
    this.apply();
  }

  /** Tells the style sheet. */
  apply(): void {
    document.documentElement.dataset['theme'] = this.#theme;
  }
}

export const theme = new ThemeChoice();
