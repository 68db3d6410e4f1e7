CREATE table "Post"(id int primary key);
CREATE table "Cat"(id int primary key);
CREATE table "_CatToPost"("A" int not null references "Cat"(id) on delete cascade on update cascade, "B" int not null references "Post"(id) on delete cascade on update cascade);
CREATE unique index "_CatToPost_AB_unique" on "_CatToPost"("A","B");
CREATE index "_CatToPost_B_index" on "_CatToPost"("B");
CREATE table "_named"("A" int not null references "Cat"(id) on delete cascade on update cascade, "B" int not null references "Post"(id) on delete cascade on update cascade, constraint "_named_AB_pkey" primary key("A","B"));
CREATE index "_named_B_index" on "_named"("B");
CREATE table "_noindex"("A" int not null references "Cat"(id), "B" int not null references "Post"(id));
CREATE table join_t(a int references "Cat"(id), b int references "Post"(id), primary key(a,b));
