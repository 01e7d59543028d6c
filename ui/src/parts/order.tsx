// The choice of an order, beside a list or instead of the heads of its table.

import type { JSX } from 'preact';

interface OrderProps<T extends string> {
  /** The orders by their keys, in words. */
  names: Readonly<Record<T, string>>;
  value: T;
  choose(key: T): void;
}

export const Order = <T extends string>({ names, value, choose }: OrderProps<T>): JSX.Element => (
  <label class="row dim">
    Order
    <select value={value} onChange={(event) => choose(event.currentTarget.value as T)}>
      {Object.entries<string>(names).map(([key, name]) => (
        <option key={key} value={key}>
          {name}
        </option>
      ))}
    </select>
  </label>
);
