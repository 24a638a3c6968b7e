-- Columns are written as they are, however many of their values are empty: written sparsely, a part took a sixth more CPU
-- time to insert and a tenth more to merge, for half a percent less on the disk.
ALTER TABLE state MODIFY SETTING ratio_of_defaults_for_sparse_serialization = 1;
