"""What is wrong, if anything: findings, each with the evidence that it rests on."""
