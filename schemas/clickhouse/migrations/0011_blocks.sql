-- Columns are compressed in blocks of 8 KiB or a granule, whichever is more. What a search finds lies scattered: of each it
-- reads a granule of every column, and decompressed for that 64 KiB of each, a third of its time. It costs 4 % on the disk;
-- inserting and merging take as long as before. Parts take it on as they are merged.
ALTER TABLE state MODIFY SETTING min_compress_block_size = 8192;
