#!lua
-- Fixes the number of partitions, once for the life of the data.
--
-- KEYS[1]  what the store knows of itself
-- ARGV     the number that is wanted
-- Answers  the number that holds
-- Guarantee: the answer is written anew, though it is nothing new: from Redis 7.2 on WAIT and WAITAOF wait for what
-- their own connection wrote, so that one who opens the store hears whether replicas have it.

redis.call('HSETNX', KEYS[1], 'partitions', ARGV[1])
local count = redis.call('HGET', KEYS[1], 'partitions')
redis.call('HSET', KEYS[1], 'partitions', count)
return count
