-- AlterTable
ALTER TABLE "Product" ADD COLUMN "attributes" JSONB NOT NULL DEFAULT '{}',
ADD COLUMN "tags" TEXT[];

-- The old shop kept the material in the name of the category
UPDATE "Product" SET "attributes" = jsonb_build_object('material', 'aramid'), "tags" = ARRAY['rope']
WHERE "categoryId" IN (SELECT "id" FROM "Category" WHERE "slug" LIKE 'rope%');
