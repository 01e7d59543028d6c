import"./chunk-3KNF2D3E.js";
