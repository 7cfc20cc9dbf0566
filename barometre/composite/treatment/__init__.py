"""What is done to indicators before they are scored: described, screened, completed, treated."""
