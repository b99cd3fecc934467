-- The copies of user pools are in a file of their own now, which may be deleted.
PRAGMA secure_delete = ON;
DROP TABLE viewers;
DROP TABLE viewer_members;
DROP TABLE viewer_pools;
PRAGMA secure_delete = OFF;
