// What a plot is given: columns of time, and what happened in each.

export type PlotTone = 'good' | 'bad' | 'warn' | 'one' | 'two' | 'three' | 'plain';

export interface PlotSeries {
  name: string;
  tone: PlotTone;
  /** One value per column; `null` where nothing is known. */
  values: readonly (number | null)[];
}

export interface PlotColumns {
  /** Short, for the axis. */
  ticks: readonly string[];
  /** Whole, for the table and the pointer. */
  names: readonly string[];
  /** How many columns apart ticks read well, ascending, and a column that should have one. */
  steps: readonly number[];
  origin: number;
}
