"""What generating for an index costs on a card, with random weights of full size."""
