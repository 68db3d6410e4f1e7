-- A first assortment and a year of orders from the old shop, so that the next migrations meet
-- tables with rows.
INSERT INTO "Category" ("slug", "title") VALUES
    ('rope', 'Ropes; cords'),
    ('harness', 'Harnesses'),
    ('metal', 'Carabiners'),
    ('shoes', 'Shoes');

INSERT INTO "Category" ("slug", "title", "parentId")
SELECT 'rope-' || kind, initcap(kind) || ' ropes', (SELECT "id" FROM "Category" WHERE "slug" = 'rope')
FROM unnest(ARRAY['single', 'half', 'twin']) AS kind;

INSERT INTO "Product" ("id", "sku", "name", "priceCents", "stock", "categoryId")
SELECT md5('product' || i)::uuid::text, 'SKU-' || lpad(i::text, 6, '0'), 'Article no. ' || i,
       500 + (i * 37) % 20000, i % 90, 1 + i % 7
FROM generate_series(1, 5000) AS i;

INSERT INTO "User" ("id", "email", "name", "updatedAt")
SELECT md5('user' || i)::uuid::text, 'customer' || i || '@example.com', 'Customer ' || i, CURRENT_TIMESTAMP
FROM generate_series(1, 1000) AS i;

INSERT INTO "Order" ("id", "userId", "status", "placedAt")
SELECT md5('order' || i)::uuid::text, md5('user' || (1 + i % 1000))::uuid::text,
       (ARRAY['PENDING', 'PAID', 'SHIPPED', 'CANCELLED'])[1 + i % 4]::"OrderStatus",
       TIMESTAMP '2024-01-01' + i * INTERVAL '2 hours'
FROM generate_series(1, 4000) AS i;

INSERT INTO "OrderItem" ("orderId", "productId", "quantity", "priceCents")
SELECT o."id", p."id", 1 + length(o."id") % 3, p."priceCents"
FROM "Order" o
JOIN generate_series(1, 3) AS line ON true
JOIN "Product" p ON p."sku" = 'SKU-' || lpad((1 + abs(hashtext(o."id" || line)) % 5000)::text, 6, '0')
ON CONFLICT DO NOTHING;
