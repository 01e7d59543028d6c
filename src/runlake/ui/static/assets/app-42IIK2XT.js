import"./chunk-G2CXDOGB.js";
