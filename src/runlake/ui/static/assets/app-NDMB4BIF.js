import"./chunk-R6ETMJQH.js";
