-- What an order costs, for the accounts department
CREATE VIEW "OrderTotal" AS
SELECT o."id", o."number", o."status", o."placedAt",
       coalesce(sum(i."quantity" * i."priceCents"), 0) AS "totalCents",
       count(i."productId") AS "lines"
FROM "Order" o
LEFT JOIN "OrderItem" i ON i."orderId" = o."id"
GROUP BY o."id", o."number", o."status", o."placedAt";
