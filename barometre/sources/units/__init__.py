"""Files of one row per thing (facility, dwelling, establishment), counted lot by lot."""
