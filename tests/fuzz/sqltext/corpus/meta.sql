\restrict x
SELECT 1;
