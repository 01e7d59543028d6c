import"./chunk-JCLHS42Z.js";
