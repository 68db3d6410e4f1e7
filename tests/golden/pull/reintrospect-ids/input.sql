CREATE table a(x int, y int, primary key(x,y));
CREATE table b(x int not null, y int not null);
CREATE unique index "b_x_y_key" on b(x,y);
