-- A many-to-many relation of a model with itself: alone, and beside others to the same model.
CREATE TABLE "Admin" (id int PRIMARY KEY, "bossId" int REFERENCES "Admin");
CREATE TABLE "_friends" ("A" int NOT NULL REFERENCES "Admin" ON DELETE CASCADE ON UPDATE CASCADE,
    "B" int NOT NULL REFERENCES "Admin" ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "_friends_AB_pkey" PRIMARY KEY ("A", "B"));
CREATE INDEX "_friends_B_index" ON "_friends" ("B");
CREATE TABLE "Lone" (id int PRIMARY KEY);
CREATE TABLE "_likes" ("A" int NOT NULL REFERENCES "Lone" ON DELETE CASCADE ON UPDATE CASCADE,
    "B" int NOT NULL REFERENCES "Lone" ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "_likes_AB_pkey" PRIMARY KEY ("A", "B"));
CREATE INDEX "_likes_B_index" ON "_likes" ("B");
CREATE TABLE "Two" (id int PRIMARY KEY);
CREATE TABLE "_one" ("A" int NOT NULL REFERENCES "Two" ON DELETE CASCADE ON UPDATE CASCADE,
    "B" int NOT NULL REFERENCES "Two" ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "_one_AB_pkey" PRIMARY KEY ("A", "B"));
CREATE INDEX "_one_B_index" ON "_one" ("B");
CREATE TABLE "_other" ("A" int NOT NULL REFERENCES "Two" ON DELETE CASCADE ON UPDATE CASCADE,
    "B" int NOT NULL REFERENCES "Two" ON DELETE CASCADE ON UPDATE CASCADE,
    CONSTRAINT "_other_AB_pkey" PRIMARY KEY ("A", "B"));
CREATE INDEX "_other_B_index" ON "_other" ("B");
