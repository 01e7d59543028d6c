import"./chunk-5USX2PGC.js";
