"""What bench/compare and bench/goals share: servers, the load client, the disk, tables."""
