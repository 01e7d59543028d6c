// Links between groups of errors and their runs. What is selected in a picture becomes the window of the link.

import { address, type Change } from '../../state/url';
import { asParameters } from '../../state/window';
import { brush } from '../runs/selection';

/** The selected times as the window; nothing while none are selected. */
function selectedWindow(): Change {
  const part = brush.value;
  return part ? { range: undefined, ...asParameters({ start: part.from, end: part.to }) } : {};
}

export const groupAddress = (id: string): string =>
  address(`/ui/errors/${id}`, { ...selectedWindow(), error_group: undefined });

/** The runs that a filter selects, as the page Runs shows them. */
export const runsAddress = (filter: Change): string => address('/ui/runs', { ...selectedWindow(), ...filter });
